"""Public notebooks with nbgrader's marks that were drawn to be compared: repository, commit and paths alone.

The first half was there to be looked at. The second was released once; docs/reference/nbgrader.md has both figures.
"""

from __future__ import annotations

from collections.abc import Mapping

from conformance.answer_courses import Place

LOOKED_AT: Mapping[Place, tuple[str, ...]] = {
    Place(
        "ChrisRosales/Imp_DeepNN_HyperTuning_Regu_Optim_DeepLearning.AI", "bba28410abd322cc46306620da3e9bdb47c31a73"
    ): (
        "Gradient_Checking.ipynb",
        "Initialization.ipynb",
        "Optimization_methods.ipynb",
        "Regularization.ipynb",
    ),
    Place("DS4Earth/sp2020", "a288deb16d849f7f442c347ad3fb0a333e523146"): (
        "DS4Earth/DS4Earth/source/ps1/problem1.ipynb",
    ),
    Place("Enbo-Lyu/DeepLearning-Specialization", "06e421ad64040f57b254700188df5616c13c4d3f"): (
        "Neural Networks and Deep Learning/Week 2/Logistic_Regression_with_a_Neural_Network_mindset.ipynb",
        "Neural Networks and Deep Learning/Week 2/Python_Basics_with_Numpy.ipynb",
        "Neural Networks and Deep Learning/Week 3/Planar_data_classification_with_one_hidden_layer.ipynb",
        "Neural Networks and Deep Learning/Week 4/Deep Neural Network - Application.ipynb",
    ),
    Place("Jesperoka/ICS-Project", "de0f7be8cc0c25a0804182ad71777068019cbf99"): (
        "assignment/problem_2/task_2a-2_pd_plus_gravity_compensation_control.ipynb",
    ),
    Place("MLSysBook/TinyTorch", "02364f800abce3507cedbe9b5053078abd92b6d3"): (
        "assignments/source/02_tensor/02_tensor.ipynb",
        "modules/01_tensor/tensor.ipynb",
        "modules/05_autograd/autograd.ipynb",
        "modules/09_spatial/spatial.ipynb",
        "modules/11_embeddings/embeddings.ipynb",
        "modules/12_attention/attention.ipynb",
    ),
    Place("TrungDS10/Deep-Learning-Coursera", "25a949ae854085a512fbe3e3e79be2a0b593a0ec"): (
        "Building_your_Deep_Neural_Network_Step_by_Step.ipynb",
    ),
    Place("alexshunyaev/nbgrader_inf2", "5e8416e0c0888e3fae48b0a0151d9a856ac65a8a"): (
        "source/lab_1/welcome_to_python.ipynb",
    ),
    Place("amanchadha/coursera-deep-learning-specialization", "e9de0f4d1549b5a974c7f5cba013097fe162a798"): (
        "C2 - Improving Deep Neural Networks Hyperparameter tuning, Regularization and Optimization/Week 3/Tensorflow_introduction.ipynb",
        "C4 - Convolutional Neural Networks/Week 1/Convolution_model_Application_2024.ipynb",
        "C4 - Convolutional Neural Networks/Week 1/Convolution_model_Step_by_Step_v1.ipynb",
        "C4 - Convolutional Neural Networks/Week 2/ResNets/Residual_Networks.ipynb",
        "C4 - Convolutional Neural Networks/Week 2/Transfer Learning with MobileNet/Transfer_learning_with_MobileNet_v1.ipynb",
        "C4 - Convolutional Neural Networks/Week 3/Car detection for Autonomous Driving/Autonomous_driving_application_Car_detection.ipynb",
        "C4 - Convolutional Neural Networks/Week 4/Face Recognition/Face_Recognition.ipynb",
    ),
    Place("davis68/test101", "f8ba538246f8c02e47873f53424f4315ea2134e2"): ("source/lab6/lab6.ipynb",),
    Place("deepanshut041/reinforcement-learning-specialization", "cf6d382cdb2d9516e3fadb9415ee3906cb74db03"): (
        "01_fundamentals_of_reinforcement_learning/Week_4/Assignment/C1M4_Assignment2-v3.ipynb",
        "02_sample_based_learning_methods/Week_3/Assignment/C2M2-Assignment-v4.ipynb",
        "02_sample_based_learning_methods/Week_5/Assignment/Planning_Assignment-v2.ipynb",
    ),
    Place("gt-ospo/ospo-training-platform", "cc2f98cdc55c5e5cf5def3d08f022384bd15ac9a"): (
        "nate_nbgrader/lesson_2/lesson_2_instructor/2.2-checkout-commit.ipynb",
        "nate_nbgrader/lesson_2/lesson_2_instructor/2.5-merge.ipynb",
        "nate_nbgrader/lesson_2/lesson_2_instructor/2.6-merge-conflict.ipynb",
        "nate_nbgrader/lesson_2/lesson_2_instructor/2.7-push-changes.ipynb",
        "nihaar_nbgrader/Spring 25/instructor/Lesson 4.1/4.1.1_init_staging.ipynb",
        "nihaar_nbgrader/Spring 25/instructor/Lesson 4.1/4.1.2_commit_push.ipynb",
        "nihaar_nbgrader/Spring 25/instructor/Lesson 4.1/4.1.3_clone_pull.ipynb",
    ),
    Place("madclam/info113", "a36cc6bf5e378d9a4d35899e8b9be52c21badd17"): (
        "source/HW1/01-images.ipynb",
        "source/HW2/cropping.ipynb",
        "source/HW2/data-analysis.ipynb",
        "source/HW2/foreground-extraction.ipynb",
        "source/HW3/data-analysis.ipynb",
    ),
    Place("marcinofulus/python-conda_pip", "9d832a2ee71884f245626171d7d873a906b097da"): (
        "course01/source/math/numbers_8.ipynb",
    ),
    Place("nachorequeno/programacion_python", "faadae6b5a3152579501864e979a864fe51397d7"): (
        "nbgrader/source/hoja_01/04_triangulos.ipynb",
        "nbgrader/source/hoja_02/03_siete_mensajeros.ipynb",
        "nbgrader/source/hoja_05/goldbach.ipynb",
        "nbgrader/source/hoja_06/01_AproximarPI.ipynb",
        "nbgrader/source/hoja_06/03_cripto.ipynb",
        "nbgrader/source/p1/fecha_absoluta.ipynb",
        "nbgrader/source/p2/01_palabras.ipynb",
    ),
    Place("phaustin/eoas_nbgrader", "0d4282a30a29290cb965e2b65e8a913fed677943"): ("Notebooks/NotebookStudent1.ipynb",),
    Place("quan3010/SIADS-680", "435229414bb37ac06133bbacb9368ec6f6ebe187"): (
        "assignments/assignment1_solution.ipynb",
        "assignments/assignment2_solution.ipynb",
        "assignments/assignment3 (1).ipynb",
    ),
    Place("ryandhjeon/CS6010-tidy-data", "4482d60eb61196a3cc8a2fe9e52f3f0f055b1c54"): (
        "source/Tidy Data/Assignment_1.ipynb",
    ),
    Place("vanillaextractor/Autograder_nbgrader", "a502f20cc4c8ba998ae9c7548a9c9bb308e8e677"): (
        "source/test/problem1.ipynb",
    ),
    Place("wwaldron/PH306-Assignment-Template", "71afde5183bac3c1de1412b1cf9e6138a0a1763a"): ("assignment.ipynb",),
    Place("zackives/gradescope-nbgrader", "1cda137c28441615f326a1f4529f6a92ad3060a6"): ("source/ps1/problem1.ipynb",),
    Place("zllu2/iMSA_577", "ecbf302930094c826485ad6c16c5f197f18864d4"): (
        "assignments/source/Module1/assignment_high.ipynb",
        "assignments/source/Module1/assignment_low.ipynb",
        "assignments/source/Module2/assignment_low.ipynb",
    ),
}
HELD_OUT: Mapping[Place, tuple[str, ...]] = {
    Place("LucVermeer/grading_environment", "0a7441b00a472375058a5ab444fe0d45a7a41236"): (
        "digital_expertise/source/supervised_ml_task/supervised_machine_learning_task.ipynb",
    ),
    Place("ShaunFChen/Applied_bioinfo_nbgrader", "ebe2f2863dd5fa84108998eb45644d9a17aee094"): (
        "HW2/HW2-Scripting+Jobs_Bash.ipynb",
    ),
    Place("SoutikNandy/python_assign", "0dbe5317ffe6625a84bdf77e3e98c16c13e21f6d"): (
        "source/b/SV-02.ipynb",
        "source/c/SV-03.ipynb",
    ),
    Place("ZhuEthan/ReinforcementLearning", "78a7504a1473bc156e6d9a712640c1f3445f3f78"): (
        "Sample-based-Learning-Methods/Dyna-Q-vs-Dyna-Q+.ipynb",
        "Sample-based-Learning-Methods/PolicyEvaluationInCliffWalkingEnv.ipynb",
        "Sample-based-Learning-Methods/Q-Learning and Expected Sarsa.ipynb",
    ),
    Place("aalbiol/ss-jupyterhub", "77542f8044f23406c113375b9ffeb51a56f85db7"): (
        "source/ExEnero25-P1/P2.ipynb",
        "source/ExEnero25-P2/P3.ipynb",
    ),
    Place("abbasidaniyalorg/ids-assignment-hub-sample", "a82e1453ae5f0ab808f024c32ca4fcd306cd2790"): (
        "source/Assignment 1/Assignment1.ipynb",
    ),
    Place("antonin-dcs/Deep-Learning-Aalto", "77a5d9666fde98deb78e22448877e6bf8263079f"): (
        "Conv/1_Lenet.ipynb",
        "Conv/2_vgg.ipynb",
        "Conv/3_resnet.ipynb",
    ),
    Place("bacross/python_assessments", "cdc1f3be5a53f43376fa8abddc23ba841a2ccc55"): (
        "source/ubs_am_python_self_assessment/ubsAM_self_assessment.ipynb",
    ),
    Place("davidmachorro3/ReinforcementLearningSystemCapstone", "32f6e21b0abb45dba4fe3d8070946cec1f4f415b"): (
        "Assignment1-v2.ipynb",
        "Course4ProgrammingAssignment2-v4.ipynb",
        "ParameterStudy.ipynb",
    ),
    Place("earthlab/nbgrader-test-course", "0d446e9e9a1a4abf9b90e1e3391b22a47eba73ec"): (
        "source/week1/homework1.ipynb",
    ),
    Place("jhamrick/nbgrader-demo", "05a5c90582fc3a575e70f94a0cc214c275311264"): (
        "instructor/source/ps1/1 - Introduction to the IPython notebook.ipynb",
        "instructor/source/ps1/3 - Introduction to NumPy.ipynb",
        "instructor/source/ps1/4 - Manipulating and Plotting Data.ipynb",
        "instructor/source/ps1/5 - Advanced NumPy.ipynb",
        "instructor/source/ps1/6 - Truth Tables.ipynb",
    ),
    Place("maizehsu/grader-test", "805d5c1e9e103ce423a7c7ff34014cd365a8c61c"): (
        "assignments/source/assignment1/assignment1.ipynb",
    ),
    Place("numberisnan/isc4u-notebooks", "083375d414da725afa57c116ef7475b3417a0714"): (
        "source/Topic 3 Test/Test.ipynb",
    ),
    Place("rameshsrinivasanuci/COGS14P_F25_Assignments", "df9f673b13149b4776fdff689fefe0893f9200f9"): (
        "classwork/solution/cw1/Problem_Set_1.ipynb",
        "classwork/solution/cw3/Problem_Set_3.ipynb",
        "classwork/solution/hwk1/Homework1.ipynb",
        "classwork/solution/hwk2/Homework2.ipynb",
        "classwork/source/cw5/Problem_Set_5.ipynb",
        "classwork/source/cw6/Problem_Set_6.ipynb",
        "classwork/source/hwk4/Homework4.ipynb",
    ),
    Place("shingarey/Reinforcement-Learning-Specialization", "badc32b5c9b8ad1ec9307e1cac533445d5777d35"): (
        "course1/module1/programming_assignments/Assignment1.ipynb",
    ),
    Place("sloydsalen/KJM1101-exercises", "699bc8e211321f98dbb3ba778e9122850f67442a"): (
        "lab2/lab2.ipynb",
        "lab5/pH_titration_fasit.ipynb",
    ),
    Place("snord883/reinforcement-learning-specialization", "cd9de0a7598d0fc4b19a9b2c3b2484cf3289cc6b"): (
        "Coursera Course/Foundamentals of RL/Assignment1.ipynb",
        "Coursera Course/Foundamentals of RL/Assignment2.ipynb",
    ),
    Place("tikent38/CAHSI", "ca8f0bf941148de6822a6383da0e315634d18ffc"): ("content/test.ipynb",),
    Place("uhd-pap/course-deploy", "5c7ae5d38a1e1fc6b66a9370bf8f829e6ae1aa31"): (
        "101 - Grundlagen der Programmierung in Python.ipynb",
        "102 - Control Flow.ipynb",
        "103 - Funktionen und Module.ipynb",
        "201 - Numerik mit Numpy.ipynb",
        "202 - Plots mit Matplotlib.ipynb",
        "203 - Fits mit Scipy.ipynb",
    ),
    Place("vladimiracunadev-create/neural-network-training-labs", "99413a663ec8fae50e92fa149a5124bb21e659d8"): (
        "advanced_labs/25_transformer_finetuning/notebook_solution.ipynb",
        "advanced_labs/26_segmentation_unet/notebook_solution.ipynb",
        "advanced_labs/27_audio_speechcommands/notebook_solution.ipynb",
        "advanced_labs/28_wgan_gp/notebook_solution.ipynb",
        "advanced_labs/29_diffusion_ddpm/notebook_solution.ipynb",
        "advanced_labs/30_self_supervised_simclr/notebook_solution.ipynb",
        "labs/00_numpy_neuron/notebook_solution.ipynb",
    ),
    Place("weifengpdx/RL-LunaLander", "50b2ef0d9fabb669edc10da582a239aba6872ed9"): (
        "C4M5_Assignment3-v9.ipynb",
        "Course4ProgrammingAssignment2-v4.ipynb",
    ),
}
